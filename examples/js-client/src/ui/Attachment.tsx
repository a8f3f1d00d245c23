import { useMemo } from "react";
import type { FileContent } from "../chat/timeline";
import { formatBytes } from "../lib/bytes";
import { objectUrl } from "../lib/objectUrl";
import { Icon } from "./Icon";

/** Pictures that a browser shows and that cannot contain a script: SVG is not one of them. */
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];

/**
 * A file, as a picture or as a link to save it.
 *
 * Its type is what the sender says, and a blob: URL belongs to this page's origin: an HTML file
 * opened from it could do whatever this page can. So all but pictures is plain bytes here.
 */
export function Attachment({ file }: { file: FileContent }) {
  const picture = PICTURES.includes(file.type);
  const ref = useMemo(() => {
    const type = picture ? file.type : "application/octet-stream";
    return objectUrl(picture ? "src" : "href", new Blob([file.blob], { type }));
  }, [file, picture]);

  if (picture) return <img className="picture" ref={ref} alt={file.name} title={file.name} />;
  return (
    // eslint-disable-next-line jsx-a11y/anchor-is-valid -- it has one: the ref's
    <a className="file" ref={ref} download={file.name}>
      <Icon name="file" />
      <bdi className="name">{file.name}</bdi> <span className="about">{formatBytes(file.size)}</span>
    </a>
  );
}
