#!/usr/bin/env bash
# Each door with curl, streamed; the last one whole.
#
#   examples/curl.sh "What is the capital of France?"
#
# CHAT_URL is the server's address, API_KEY its key where it wants one. Ends with an error where an
# answer is not whole.
set -euo pipefail

url=${CHAT_URL:-http://localhost:5000}
question=${1:-What is the capital of France?}
question=${question//\\/\\\\}
question=${question//\"/\\\"} # it goes into JSON

# -N hands pieces on as they come; -f makes an error status an exit code of 22.
call=(curl -sSN --fail-with-body -H 'content-type: application/json')
if [ -n "${API_KEY:-}" ]; then call+=(-H "x-api-key: $API_KEY"); fi

# Shows events as they come. A stream is whole when its last event says so: curl cannot know that.
events_until() {
  local line last=
  while IFS= read -r line || [ -n "$line" ]; do # an error reply has no newline
    printf '%s\n' "$line"
    if [ -n "$line" ]; then last=$line; fi
  done
  if [[ $last != "$1"* ]]; then
    echo "[broken: the last event is not $1]" >&2
    return 1
  fi
}

message="{\"message\":\"$question\"}"
messages="\"messages\":[{\"role\":\"user\",\"content\":\"$question\"}]"

echo "# /chat/stream"
"${call[@]}" "$url/chat/stream" -d "$message" | events_until 'data: {"done": true'

echo "# /ask: bare text; curl's exit code is 18 when it broke off"
"${call[@]}" "$url/ask" -d "{$messages}"
echo

echo "# /api/chat: bare text, in a session that the server remembers"
"${call[@]}" "$url/api/chat" -d "{\"user_message\":\"$question\"}"
echo

echo "# /v1/chat/completions"
"${call[@]}" "$url/v1/chat/completions" -d "{$messages,\"stream\":true}" | events_until 'data: [DONE]'

echo "# /chat: whole"
"${call[@]}" "$url/chat" -d "$message"
