// Elements of a page, made in one expression.

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} attributes `on...` listens; true is an attribute without a value
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** @param {string} text @param {string} label @param {() => void} act */
export function button(text, label, act) {
  return element("button", { type: "button", title: label, "aria-label": label, onclick: act }, text);
}

/**
 * A check box with its label.
 * @param {string} label @param {boolean} checked @param {(checked: boolean) => void} act
 */
export function checkBox(label, checked, act) {
  const box = element("input", { type: "checkbox" });
  box.checked = checked;
  box.addEventListener("change", () => act(box.checked));
  return element("label", {}, box, ` ${label}`);
}

/**
 * A list to choose from.
 * @param {string} label
 * @param {string[][]} choices value and text of each
 * @param {string} value
 * @param {(value: string) => void} act
 */
export function choiceOf(label, choices, value, act) {
  const list = element("select", { "aria-label": label });
  list.append(...choices.map(([v, text]) => element("option", { value: v, selected: v === value }, text)));
  list.addEventListener("change", () => act(list.value));
  return list;
}
