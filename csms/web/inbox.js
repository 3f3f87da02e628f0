// Who knocked and was not let in, letting one in, and what to enter in a station.

import { get, list, send } from "/assets/api.js";
import { arrange, byId, coded, element, show } from "/assets/dom.js";

const MOST = 50;
const UNKNOWN = ["unknown_identity", "unknown_with_certificate"];
const UNARMED = ["no_credentials", "bad_password", "no_password_set"];

let failed = () => {};
let timer = null;

/** `onError` is told what goes wrong after a click. */
export function setUp(onError) {
  failed = onError;
  byId("window-open").addEventListener("click", () => {
    send("POST", "/api/v1/onboarding", { minutes: 5 }).then(showWindow).catch(failed);
  });
  byId("window-close").addEventListener("click", () => {
    send("DELETE", "/api/v1/onboarding").then(loadWindow).catch(failed);
  });
  byId("point").addEventListener("toggle", () => {
    if (byId("point").open) loadPoint().catch(failed);
  });
  byId("point-maker").addEventListener("change", () => loadPoint().catch(failed));
  byId("point-form").addEventListener("submit", (event) => {
    event.preventDefault();
    loadPoint().catch(failed);
  });
  byId("accepted-done").addEventListener("click", () => {
    byId("accepted-password").textContent = "";
    show("accepted", false);
  });
}

export async function load() {
  let found;
  try {
    [found] = await Promise.all([list("/api/v1/inbox", MOST), loadWindow()]);
  } catch (error) {
    if (error.status !== 403) throw error;
    show("inbox-section", false); // whoever is bound to locations has none
    return;
  }
  // A form that somebody is filling in stays as it is.
  if (byId("inbox").querySelector("form")) return;
  arrange(byId("inbox"), found.items.map(row));
  byId("inbox-count").textContent = found.items.length ? `${found.items.length}${found.more ? "+" : ""}` : "";
  show("inbox-empty", found.items.length === 0);
}

async function loadWindow() {
  showWindow(await get("/api/v1/onboarding"));
}

function showWindow(shown) {
  clearTimeout(timer);
  show("window-open", !shown.open);
  show("window-close", shown.open);
  const until = shown.open ? new Date(shown.until).toLocaleTimeString() : "";
  byId("window").textContent = shown.open ? `Every station that connects before ${until} is let in.` : "";
  if (shown.open) timer = setTimeout(() => loadWindow().catch(failed), new Date(shown.until) - Date.now() + 500);
}

function row(entry) {
  const what = [
    [entry.vendor, entry.model].filter(Boolean).join(" "),
    entry.serial_number,
    entry.ocpp_version ? `OCPP ${entry.ocpp_version}` : null,
    `from ${entry.address}`,
    entry.attempts > 1 ? `${entry.attempts} times` : null,
  ].filter(Boolean).join(" · ");
  const seen = new Date(entry.last_seen_at).toLocaleTimeString();
  const buttons = element("div", "buttons");
  const made = element(
    "li", "",
    element("div", "title", element("span", "", entry.identity || "no identity"),
      element("span", "chip", entry.cause.replaceAll("_", " ")), element("span", "aside", seen)),
    element("p", "detail", what),
    element("p", "", ...coded(entry.next_step)),
    entry.detail ? element("p", "detail", entry.detail) : null,
    entry.sent ? element("p", "detail", entry.sent) : null,
    buttons,
  );
  if (UNKNOWN.includes(entry.cause)) {
    buttons.append(button("Accept", "", () => askForPlace(entry, buttons)));
  }
  if (UNARMED.includes(entry.cause)) {
    buttons.append(button("New password", "quiet", async () => {
      // Whoever was wrong need not be the station, which may be in all the while.
      if (!confirm(`The password that ${entry.identity} has now is refused then. Make a new one?`)) return;
      const path = `/api/v1/stations/identity:${encodeURIComponent(entry.identity)}/credentials/rotate`;
      tell({ ...(await send("POST", path)), password_from: "new" });
    }));
  }
  buttons.append(button("Forget", "quiet", () => send("DELETE", `/api/v1/inbox/${entry.id}`).then(load)));
  return made;
}

function button(text, className, act) {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", () => Promise.resolve(act()).catch(failed));
  return made;
}

async function askForPlace(entry, buttons) {
  const locations = (await list("/api/v1/locations", 500)).items;
  const name = element("input");
  name.placeholder = "Name";
  name.setAttribute("aria-label", "Name of the station");
  const place = element("select", "", ...[{ id: "", name: "No location" }, ...locations].map((one) => {
    const option = element("option", "", one.name);
    option.value = one.id;
    return option;
  }));
  place.setAttribute("aria-label", "Location of the station");
  const confirm = element("button", "", "Let it in");
  const form = element("form", "line", name, place, confirm, button("Cancel", "quiet", () => {
    form.remove();
    return load();
  }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    confirm.disabled = true;
    const body = { name: name.value.trim() || null, location_id: place.value || null };
    send("POST", `/api/v1/inbox/${entry.id}/accept`, body).then((accepted) => {
      form.remove();
      tell(accepted);
      return load();
    }).catch((error) => {
      confirm.disabled = false;
      failed(error);
    });
  });
  buttons.replaceChildren(form);
  name.focus();
}

function tell(accepted) {
  const how = {
    station: "keeps the password that it has. It is in at its next boot, within seconds.",
    told: "is in at its next boot, within seconds. It has no password yet, and is told one over OCPP then.",
    certificate: "has a certificate, and needs no password. It connects again by itself.",
    none: "needs no password here.",
    given: "has the password that you gave it.",
    new: "needs this password; it is not shown again. Enter it in the station:",
  }[accepted.password_from];
  byId("accepted-text").textContent = `${accepted.identity} ${how}`;
  byId("accepted-password").textContent = accepted.password ?? "";
  show("accepted", true);
}

async function loadPoint() {
  const identity = byId("point-identity").value.trim();
  const maker = byId("point-maker");
  const about = new URLSearchParams();
  if (identity) about.set("identity", identity);
  if (maker.value) about.set("vendor", maker.value);
  const shown = await get(`/api/v1/connection-info?${about}`);
  if (maker.options.length === 1) maker.append(...shown.makers.map((name) => element("option", "", name)));
  const known = shown.known.map((one) => element(
    "li", "", `${one.who}: `, ...coded(one.text), element("p", "detail", `As told in ${one.sources.join(", ")}`),
  ));
  arrange(byId("point-steps"), [...known, ...shown.steps.map((step) => element("li", "", ...coded(step)))]);
  arrange(byId("point-urls"), shown.urls.map((one) => element(
    "li", "",
    element("code", "", identity ? one.url_with_identity : one.url),
    element("span", "aside", one.only_this_machine ? "this machine only" : one.interface ?? ""),
  )));
  const drawn = shown.qr_svg ? new DOMParser().parseFromString(shown.qr_svg, "image/svg+xml") : null;
  byId("point-qr").replaceChildren(...(drawn ? [document.importNode(drawn.documentElement, true)] : []));
}
