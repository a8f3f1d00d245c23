/**
 * Sets an attribute to a blob: URL for as long as the element is there, as a ref:
 *
 *     <img ref={objectUrl("src", blob)} />
 *
 * The URL is revoked when the element goes, so the memory is free again; and no state is needed.
 */
export function objectUrl(attribute: "src" | "href", blob: Blob) {
  return (element: HTMLElement | null) => {
    if (!element) return;
    const url = URL.createObjectURL(blob);
    element.setAttribute(attribute, url);
    return () => URL.revokeObjectURL(url);
  };
}
