// A JSON schema as a list that a person can read.

import { coded, element } from "/assets/dom.js";

const DEEPEST = 6;
const LIMITS = {
  minLength: "at least # characters", maxLength: "at most # characters",
  minimum: "\u2265 #", maximum: "\u2264 #", exclusiveMinimum: "> #", exclusiveMaximum: "< #",
  minItems: "at least # of them", maxItems: "at most # of them", pattern: "like #",
};

/** What a `$ref` leads to, else the thing itself. */
export function resolved(api, thing) {
  if (!thing?.$ref) return thing ?? {};
  return thing.$ref.slice(2).split("/").reduce((place, part) => place[part], api);
}

/** The fields of a schema, those of inner ones below them. */
export function fields(api, schema, depth = 0, above = []) {
  const [shape, name] = bare(api, schema);
  if (depth >= DEEPEST || (name && above.includes(name))) return element("span", "type", "\u2026");
  const inside = name ? [...above, name] : above;
  const choices = shape.anyOf ?? shape.oneOf;
  if (choices) {
    const list = element("ul", "fields");
    for (const one of choices.filter((choice) => choice.type !== "null")) {
      list.append(element("li", "", typeOf(api, one), below(api, one, depth, inside)));
    }
    return list;
  }
  if (shape.type === "array") return below(api, shape, depth, inside) ?? typeOf(api, shape);
  if (!shape.properties) return typeOf(api, shape);
  const list = element("ul", "fields");
  for (const [key, one] of Object.entries(shape.properties)) {
    list.append(
      element(
        "li",
        "",
        element("code", shape.required?.includes(key) ? "must" : "", key),
        " ",
        typeOf(api, one),
        " ",
        element("span", "said", ...coded(one.description ?? "")),
        below(api, one, depth, inside),
      ),
    );
  }
  return list;
}

/** What a field's own fields are, if it has any. */
function below(api, schema, depth, above) {
  const [shape, name] = bare(api, schema);
  const inner = shape.type === "array" ? shape.items : shape;
  if (!inner) return null;
  const [end] = bare(api, inner);
  if (!end.properties && !end.anyOf) return null;
  return fields(api, inner, depth + 1, name && shape.type === "array" ? [...above, name] : above);
}

/** The schema behind references and behind "or null", and the name it goes by. */
function bare(api, schema) {
  const name = schema.$ref;
  const shape = resolved(api, schema);
  const choices = shape.anyOf?.filter((choice) => choice.type !== "null");
  if (choices?.length === 1) return bare(api, choices[0]);
  return [shape, name];
}

function typeOf(api, schema) {
  const [shape] = bare(api, schema);
  const parts = [];
  if (shape.enum) parts.push(shape.enum.join(", "));
  else if (shape.const !== undefined) parts.push(JSON.stringify(shape.const));
  else if (shape.type === "array") parts.push("list");
  else parts.push(shape.format ?? shape.type ?? (shape.anyOf ? "one of" : "any"));
  for (const [key, text] of Object.entries(LIMITS)) {
    if (shape[key] !== undefined) parts.push(text.replace("#", () => shape[key]));
  }
  if (schema.anyOf?.some((choice) => choice.type === "null")) parts.push("or null");
  if (schema.default !== undefined && schema.default !== null) {
    parts.push(`default ${JSON.stringify(schema.default)}`);
  }
  return element("span", "type", parts.join(" \u00b7 "));
}
