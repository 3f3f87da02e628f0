// The newest jobs and how far they are.

import { get } from "/assets/api.js";
import { arrange, byId, element, show } from "/assets/dom.js";

const MOST = 12;
const NAMES = { station_create: "Create stations" };
const FINAL = new Set(["done", "cancelled", "failed"]);

const known = new Map();
const rows = new Map();

export async function load() {
  const page = await get(`/api/v1/jobs?limit=${MOST}`);
  known.clear();
  for (const job of page.items) known.set(job.id, job);
  render();
}

/** A progress tick; returns false when the job is not on the page yet. */
export function progress(id, data) {
  const job = known.get(id);
  if (!job) return false;
  Object.assign(job, { state: data.state, counters: data.counters });
  fill(rows.get(id), job);
  return true;
}

function render() {
  const shown = [...known.values()];
  for (const job of shown) {
    if (!rows.has(job.id)) rows.set(job.id, skeleton());
    fill(rows.get(job.id), job);
  }
  for (const id of [...rows.keys()]) if (!known.has(id)) rows.delete(id);
  arrange(byId("jobs"), shown.map((job) => rows.get(job.id)));
  const running = shown.filter((job) => !FINAL.has(job.state)).length;
  byId("jobs-count").textContent = running ? `${running} running` : "";
  show("jobs-empty", shown.length === 0);
}

function skeleton() {
  const bar = element("div", "bar", element("span", "good"), element("span", "failed"));
  bar.setAttribute("role", "progressbar");
  return element(
    "li", "",
    element("div", "title", element("span", "name"), element("span", "aside")),
    bar,
    element("p", "detail"),
    element("p", "detail job-error"),
  );
}

function fill(row, job) {
  const count = job.counters;
  const finished = count.total - count.open;
  const failed = finished - count.succeeded;
  const part = (number) => `${count.total ? (100 * number) / count.total : 0}%`;
  const name = job.command ?? NAMES[job.kind] ?? job.kind;
  row.querySelector(".name").textContent = name;
  row.querySelector(".aside").textContent = job.state;
  row.querySelector(".good").style.width = part(count.succeeded);
  row.querySelector(".failed").style.width = part(failed);
  const bar = row.querySelector(".bar");
  bar.setAttribute("aria-label", name);
  bar.setAttribute("aria-valuemax", count.total);
  bar.setAttribute("aria-valuenow", finished);
  const [detail, error] = row.querySelectorAll(".detail");
  detail.textContent = summary(job, finished);
  error.textContent = job.error ? `${job.error.code}: ${job.error.message}` : "";
  error.hidden = !job.error;
}

function summary(job, finished) {
  const count = job.counters;
  const parts = [`${finished} of ${count.total}`];
  for (const [key, word] of [
    ["rejected", "rejected"], ["errored", "failed"], ["unknown", "unknown"], ["offline", "offline"],
    ["expired", "expired"], ["cancelled", "cancelled"], ["skipped", "not allowed"],
  ]) {
    if (count[key]) parts.push(`${count[key]} ${word}`);
  }
  parts.push(new Date(job.created_at).toLocaleTimeString());
  return parts.join(" · ");
}
