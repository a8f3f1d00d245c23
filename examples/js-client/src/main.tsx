import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { restoreTheme } from "./lib/theme";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/login.css";
import "./styles/shell.css";
import "./styles/sidebar.css";
import "./styles/room.css";
import "./styles/messages.css";
import "./styles/composer.css";
import "./styles/board.css";

restoreTheme();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
