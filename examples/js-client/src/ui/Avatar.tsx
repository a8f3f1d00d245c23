import { hueStyle, initials } from "../lib/color";

export function Avatar({ name, status }: { name: string; status?: string | undefined }) {
  return (
    <span className="avatar" style={hueStyle(name)} aria-hidden="true">
      {initials(name)}
      {status && <span className="presence" data-status={status} />}
    </span>
  );
}
