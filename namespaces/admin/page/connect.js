// Fills the connect form of the page, which reads it from here when it starts, and goes there.
(({ path, namespace, parser, wsOnly }) => {
  try {
    localStorage.setItem("server_url", location.origin);
    localStorage.setItem("path", path);
    localStorage.setItem("namespace", namespace);
    localStorage.setItem("parser", parser);
    if (wsOnly === "true") localStorage.setItem("ws_only", "true"); // otherwise whoever looks at the page chooses
  } catch {
    // A browser that stores nothing: the form is empty, and can be filled in.
  }
  location.replace("index.html" + location.hash);
})(document.currentScript.dataset);
