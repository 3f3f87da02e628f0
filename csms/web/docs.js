// The API's page: every operation of /openapi.json, or every code of an error.

import { arrange, byId, coded, element, show } from "/assets/dom.js";
import { fields, resolved } from "/assets/schema.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const MOUNTS = { native: "/api/v1", chargers: "/ocpp", commands: "/api/v3" };
let api;

async function start() {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`/openapi.json: ${response.status}`);
  api = await response.json();
  if (location.pathname === "/docs/errors") showErrors(api["x-error-codes"]);
  else showOperations(listOf(api.paths));
}

/** All operations, in the order of their paths. */
function listOf(paths) {
  const sorted = Object.entries(paths).sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => {
      const operation = item[method];
      const scope = operation.security?.flatMap((one) => one.bearer ?? [])[0] ?? "public";
      const tag = operation.tags[0];
      const rest = path.startsWith(MOUNTS[tag]) ? path.slice(MOUNTS[tag].length) : path;
      const group = path.startsWith(MOUNTS[tag]) ? `${MOUNTS[tag]}/${rest.split("/")[1]}` : "server";
      const words = `${method} ${path} ${operation.summary} ${scope} ${tag}`.toLowerCase();
      return { path, method: method.toUpperCase(), operation, scope, group, words };
    }),
  );
}

function showOperations(all) {
  byId("about").append(...coded(api.info.description));
  const filter = byId("filter");
  const rows = new Map(all.map((one) => [one, row(one)]));
  const groups = [...new Set(all.map((one) => one.group))].sort();
  const sections = new Map(groups.map((group) => [group, sectionOf(group)]));
  byId("groups").append(...groups.map(chipOf));
  const narrow = () => {
    const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = all.filter((one) => wanted.every((word) => one.words.includes(word)));
    for (const [group, section] of sections) {
      const inside = shown.filter((one) => one.group === group);
      section.hidden = inside.length === 0;
      arrange(section.lastElementChild, inside.map((one) => rows.get(one)));
    }
    byId("count").textContent = `${shown.length} of ${all.length} operations`;
  };
  byId("operations").append(...sections.values());
  filter.addEventListener("input", narrow);
  window.addEventListener("hashchange", openNamed);
  narrow();
  openNamed();
}

function sectionOf(group) {
  const section = element("section", "", element("h2", "", group), element("div"));
  section.id = idOf(group);
  return section;
}

function chipOf(group) {
  const chip = element("a", "chip", group);
  chip.href = `#${idOf(group)}`;
  return chip;
}

function idOf(group) {
  return `group-${group.replaceAll(/[^a-z0-9]+/g, "-")}`;
}

function openNamed() {
  const named = document.getElementById(location.hash.slice(1));
  if (!named) return;
  if (named.tagName === "DETAILS") named.open = true;
  named.scrollIntoView();
}

function row(one) {
  const { operation } = one;
  const details = element(
    "details",
    "operation",
    element(
      "summary",
      "",
      element("span", `method ${one.method}`, one.method),
      element("span", "path", one.path),
      element("span", "what", operation.summary),
      element("span", "scope", one.scope),
    ),
  );
  details.id = operation.operationId;
  details.addEventListener("toggle", () => {
    if (!details.open) return;
    if (details.childElementCount === 1) details.append(body(one));
    history.replaceState(null, "", `#${details.id}`);
  });
  return details;
}

/** What is inside a row; made when it is opened first. */
function body({ path, method, operation, scope }) {
  const made = element("div");
  if (operation.description) made.append(element("p", "", ...coded(operation.description)));
  const parameters = (operation.parameters ?? []).map((one) => resolved(api, one));
  if (parameters.length > 0) made.append(element("h3", "", "Parameters"), parametersOf(parameters));
  const media = operation.requestBody?.content["application/json"];
  if (media) made.append(element("h3", "", "Body"), fields(api, media.schema));
  made.append(element("h3", "", "By hand"), element("pre", "", command(path, method, media, scope)));
  made.append(element("h3", "", "Answers"));
  for (const [status, answer] of Object.entries(operation.responses)) {
    made.append(answerOf(status, resolved(api, answer)));
  }
  return made;
}

function parametersOf(parameters) {
  const list = element("ul", "fields");
  for (const one of parameters) {
    const schema = resolved(api, one.schema);
    const type = [one.in, ...(schema.enum ?? [schema.format ?? schema.type ?? "text"])];
    if (schema.default !== undefined) type.push(`default ${JSON.stringify(schema.default)}`);
    list.append(
      element(
        "li",
        "",
        element("code", one.required ? "must" : "", one.name),
        " ",
        element("span", "type", type.join(" \u00b7 ")),
        " ",
        element("span", "said", ...coded(one.description ?? "")),
      ),
    );
  }
  return list;
}

function answerOf(status, answer) {
  const details = element("details", "answer");
  details.append(
    element("summary", "", element("code", "", status), " ", element("span", "said", answer.description)),
  );
  const headers = Object.keys(answer.headers ?? {});
  if (headers.length > 0) details.append(element("p", "said", `Headers: ${headers.join(", ")}`));
  for (const [kind, { schema }] of Object.entries(answer.content ?? {})) {
    details.append(element("h4", "", kind));
    if (schema) details.append(fields(api, schema));
  }
  return details;
}

function command(path, method, media, scope) {
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}"${location.origin}${path}"`];
  if (scope !== "public") lines.push('-H "Authorization: Bearer $TOKEN"');
  if (media) lines.push('-H "Content-Type: application/json"');
  if (media?.example !== undefined) lines.push(`-d '${JSON.stringify(media.example, null, 2)}'`);
  return lines.join(" \\\n  ");
}

function showErrors(codes) {
  byId("about").append("The stable part of a native error is its code:");
  byId("filter").parentElement.hidden = true;
  show("errors", true);
  for (const { code, status, meaning } of codes) {
    const line = element(
      "tr",
      "",
      element("td", "", element("code", "", code)),
      element("td", "", String(status)),
      element("td", "", ...coded(meaning)),
    );
    line.id = code;
    byId("errors").tBodies[0].append(line);
  }
  openNamed();
}

start().catch((error) => {
  byId("alert").textContent = `The description cannot be read: ${error.message}`;
  show("alert", true);
});
