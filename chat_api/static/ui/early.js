// Before the first paint, and therefore no module: the theme that was chosen, where one was.
try {
  const theme = JSON.parse(localStorage.getItem("chat-api.theme"));
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // No storage, or something else in it: the system's theme it is.
}
