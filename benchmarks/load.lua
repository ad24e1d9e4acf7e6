-- wrk's part: POST one body over and over and look at every answer.
-- Arguments: BODY_FILE EXPECT_FILE EVENTS
-- Each line of EXPECT_FILE must be in the answer; EVENTS > 0 asks for exactly so many events.

local threads = {}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = read(args[1])
  expected = {}
  for line in read(args[2]):gmatch("[^\n]+") do
    table.insert(expected, line)
  end
  events = tonumber(args[3])
  wrong = 0
  example = ""
end

-- Plain finds, no patterns: the load must not be what is measured.
local function count_events(body)
  local count, at = 0, 0
  while true do
    at = body:find("data: {", at + 1, true)
    if not at then
      return count
    end
    count = count + 1
  end
end

local function is_whole(status, body)
  if status ~= 200 then
    return false
  end
  for _, text in ipairs(expected) do
    if not body:find(text, 1, true) then
      return false
    end
  end
  return events == 0 or count_events(body) == events
end

function response(status, headers, body)
  if not is_whole(status, body) then
    wrong = wrong + 1
    if wrong == 1 then
      example = status .. " " .. body:sub(1, 160) .. " ... " .. body:sub(-80)
    end
  end
end

function done(summary, latency, requests)
  local failures, said = 0, ""
  for _, thread in ipairs(threads) do
    failures = failures + thread:get("wrong")
    if said == "" then
      said = thread:get("example")
    end
  end
  local errors = summary.errors
  -- errors.status is left out: the answers it counts were seen above.
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration, failures, broken))
  io.write("EXAMPLE " .. said:gsub("%s+", " ") .. "\n")
end
