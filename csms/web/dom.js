// Elements from values; text is always a text node, never markup.

export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  for (const child of children) {
    if (child !== null && child !== undefined) made.append(child);
  }
  return made;
}

/** Text with its `code` as code. */
export function coded(text) {
  return text.split("`").map((part, place) => (place % 2 ? element("code", "", part) : part));
}

export function byId(id) {
  return document.getElementById(id);
}

export function show(id, visible) {
  byId(id).hidden = !visible;
}

/** Put `rows` (key → element) into `list` in order, moving as little as possible. */
export function arrange(list, rows) {
  let place = list.firstElementChild;
  for (const row of rows) {
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
  }
  while (place) {
    const next = place.nextElementSibling;
    place.remove();
    place = next;
  }
}
