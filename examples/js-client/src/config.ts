// What the page is told from outside: by the server in index.html, by its address.

const params = new URLSearchParams(location.search);

export const config = {
  /** Where Socket.IO is; the server writes it into index.html. */
  path: document.querySelector<HTMLMetaElement>('meta[name="parlor-path"]')?.content ?? "/socket.io/",
  /** `?transport=polling`: how it goes where WebSocket is blocked. */
  transports: params.get("transport") === "polling" ? (["polling"] as const) : (["polling", "websocket"] as const),
  /** `?room=…&name=…`: a link that fills the form in. */
  room: params.get("room") ?? "",
  name: params.get("name") ?? "",
};
