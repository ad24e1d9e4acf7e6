// ReDoc over this server's own description, in the colours that stand in it.
fetch("/openapi.json")
  .then((reply) => reply.json())
  .then((description) => {
    const theme = description.info["x-theme"];
    const options = {
      scrollYOffset: ".bar",
      theme: {
        colors: {
          primary: { main: theme.primary },
          warning: { main: theme.accent },
          error: { main: theme.error },
          text: { primary: theme.text },
        },
        sidebar: { backgroundColor: theme.background, textColor: theme.text },
        rightPanel: { backgroundColor: theme.text },
        typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "inherit" } },
      },
    };
    Redoc.init(description, options, document.getElementById("redoc"));
  });
