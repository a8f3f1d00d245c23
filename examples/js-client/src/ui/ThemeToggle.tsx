import { chooseTheme, useTheme } from "../lib/theme";
import { Icon } from "./Icon";

export function ThemeToggle() {
  const dark = useTheme() === "dark";
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={dark ? "Light colours" : "Dark colours"}
      onClick={() => chooseTheme(dark ? "light" : "dark")}
    >
      <Icon name={dark ? "sun" : "moon"} />
    </button>
  );
}
