// The stations: who is online, what they are, what their connectors say.

import { get, list } from "/assets/api.js";
import { arrange, byId, element, show } from "/assets/dom.js";

const MOST = 2000;
// Fetching more than this one by one costs more than the whole list.
const SINGLY = 20;

const known = new Map(); // id → station
const rows = new Map(); // id → element
let more = false;

export async function load() {
  const found = await list("/api/v1/stations", MOST);
  known.clear();
  rows.clear();
  for (const station of found.items) known.set(station.id, station);
  more = found.more;
  render();
}

/** Fetch what changed; returns whether that was the whole list. */
export async function refresh(ids) {
  if (ids.size > SINGLY) {
    await load();
    return true;
  }
  await Promise.all([...ids].map(async (id) => {
    try {
      known.set(id, await get(`/api/v1/stations/${id}`));
    } catch (error) {
      if (error.status !== 404) throw error;
      known.delete(id);
    }
    rows.delete(id);
  }));
  render();
  return false;
}

export function render() {
  const wanted = byId("filter").value.trim().toLowerCase();
  const shown = [...known.values()].filter((station) => !wanted || text(station).includes(wanted));
  for (const station of shown) {
    if (!rows.has(station.id)) rows.set(station.id, row(station));
  }
  arrange(byId("stations"), shown.map((station) => rows.get(station.id)));
  const online = [...known.values()].filter((station) => station.online).length;
  byId("stations-count").textContent = known.size ? `${online} of ${known.size}${more ? "+" : ""} online` : "";
  byId("stations-empty").textContent = known.size
    ? "No station matches the filter."
    : "No stations yet. Point one at this server's /ocpp/<identity>, or create some through the API.";
  show("stations-empty", shown.length === 0);
  byId("stations-more").textContent = `The first ${MOST} are shown; the API has them all.`;
  show("stations-more", more);
}

function text(station) {
  return [station.identity, station.name, station.vendor, station.model].join(" ").toLowerCase();
}

function row(station) {
  const dot = element("span", station.online ? "dot on" : "dot");
  const state = station.online ? (station.ready ? "online" : "connecting") : lastSeen(station);
  const what = [
    [station.vendor, station.model].filter(Boolean).join(" "),
    station.firmware_version,
    station.virtual ? "virtual" : null,
    station.connected_version ? `OCPP ${station.connected_version}` : null,
  ].filter(Boolean).join(" · ");
  return element(
    "li", station.online ? "" : "away",
    element("div", "title", dot, element("span", "", station.identity), element("span", "aside", state)),
    station.name && station.name !== station.identity ? element("p", "detail", station.name) : null,
    element("p", "detail", what || "never booted"),
    station.password_waived ? element("p", "alert", "Anybody may come in as this station: no password is asked for.") : null,
    element("div", "chips", ...station.connectors
      .filter((one) => one.evse_id > 0 || station.connectors.length === 1)
      .map((one) => element("span", `chip ${one.status}`, `${one.evse_id} ${one.reported_status}`))),
  );
}

function lastSeen(station) {
  if (!station.last_connected_at) return "never seen";
  return station.registration === "Accepted" ? "offline" : station.registration.toLowerCase();
}
