// The HTTP API, as the page uses it. Every fault becomes a `Problem` that says what came and what to do.

import { tr, trError } from "./words.js";

export class Problem extends Error {
  /** @param {{status?: number, kind?: string, detail?: string, remedy?: string, title?: string, consent?: string}} said */
  constructor(said, retryAfter = 0) {
    const title = said.title && tr(said.title) !== said.title ? `${tr(said.title)}: ` : "";
    super(title + (trError(said.detail ?? "") || said.title || tr`the server answered ${said.status}`));
    this.status = said.status ?? 0;
    this.kind = said.kind ?? "";
    this.remedy = tr(said.remedy ?? "");
    /** the field that lets it pass when it is sent as true */
    this.consent = said.consent ?? null;
    /** what there is to choose from, where several things fit @type {{number: number, name: string, box: number[]}[]} */
    this.choices = said.choices ?? [];
    this.retryAfter = retryAfter;
  }
}

const OFFLINE = {
  kind: "unreachable",
  detail: tr("the server cannot be reached"),
  remedy: tr("see that `remend serve` still runs, then try again; your work is kept in this browser"),
};

/** Asked when the server wants a token, and again with why the last one would not do. @type {(why: string) => Promise<string | null>} */
let askForToken = async () => null;
export const setTokenAsker = (asker) => {
  askForToken = asker;
};

/**
 * @param {string} path @param {RequestInit} options @param {Record<string, any>} [fields] of the form: files are
 *   called by their names where the server can only say which field they came in
 * @returns {Promise<Response>}
 */
async function call(path, options = {}, fields = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    throw new Problem(OFFLINE);
  }
  if (response.ok) return response;
  const problem = await problemOf(response, fields);
  if (response.status === 401 && (await signedIn())) return call(path, options, fields);
  throw problem;
}

/** @param {Response} response @param {Record<string, any>} [fields] of the form */
async function problemOf(response, fields = {}) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const isProblem = (response.headers.get("Content-Type") ?? "").includes("json");
  const said = isProblem ? await response.json().catch(() => ({})) : {};
  return new Problem({ status: response.status, ...named(said, fields) }, retryAfter);
}

/** What is said of a file, with the file's own name. @param {{detail?: string}} said @param {Record<string, any>} fields */
function named(said, fields) {
  for (const field of ["image", "mask"]) {
    const { name } = fields[field] ?? {};
    if (name && said.detail?.startsWith(`${field}: `)) return { ...said, detail: name + said.detail.slice(field.length) };
  }
  return said;
}

/** The cookie for a token that the user types, until one is good. Requests that wait for it share the question. */
let asking = null;
function signedIn() {
  asking ??= (async () => {
    for (let why = ""; ; ) {
      const token = await askForToken(why);
      if (!token) return false;
      const response = await fetch("/v1/session", {
        method: "POST",
        headers: { Authorization: `Bearer ${token}` },
      });
      if (response.ok) return true;
      const problem = await problemOf(response);
      why = problem.kind === "token-needed" ? tr("That token is not the server's. Try again.") : `${problem.message}: ${problem.remedy}.`;
    }
  })().finally(() => {
    asking = null;
  });
  return asking;
}

/** @type {Promise<any> | null} */
let told = null;

/** What the server offers, and its limits; asked once. */
export const methods = () =>
  (told ??= call("/v1/methods")
    .then((response) => response.json())
    .catch((error) => {
      told = null;
      throw error;
    }));

/** @param {Record<string, string | number | boolean | Blob | null>} fields null: not sent */
function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined) continue;
    if (value instanceof File) data.append(name, value, value.name);
    else if (value instanceof Blob) data.append(name, value, `${name}.png`);
    else data.append(name, String(value));
  }
  return data;
}

/**
 * A job from beginning to end. A full queue is waited for; a signal cancels at the server too.
 * @param {Record<string, any>} fields of `POST /v1/jobs`
 * @param {(job: {state: string, place: number | null, stage: string | null, progress: number,
 *   step: number | null, steps: number | null}) => void} progress
 * @param {AbortSignal} signal
 * @returns {Promise<{response: Response, report: any}>}
 */
export async function job(fields, progress, signal) {
  const body = form(meant(fields));
  const headers = { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
  let started;
  for (;;) {
    try {
      started = await (await call("/v1/jobs", { method: "POST", body, headers, signal }, fields)).json();
      break;
    } catch (error) {
      if (!(error instanceof Problem) || error.kind !== "queue-full") throw error;
      progress({ state: "refused", place: null, stage: null, progress: 0, step: null, steps: null });
      await pause(1000 * Math.max(1, error.retryAfter), signal);
    }
  }
  const cancel = () => fetch(started.links.self, { method: "DELETE", keepalive: true }).catch(() => {});
  signal.addEventListener("abort", cancel);
  try {
    const end = await finished(started, progress, signal);
    if (end.state === "failed") throw new Problem(named(end.problem, fields));
    if (end.state === "cancelled") throw new Problem({ kind: "cancelled", detail: tr("the repair was cancelled") });
    const response = await call(started.links.result, { signal });
    return { response, report: end.report };
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** Hear of a job until its end. @returns {Promise<any>} the job as it ended */
function finished(started, progress, signal) {
  progress(started);
  return new Promise((done, failed) => {
    // The server frees the place of somebody who has closed the page.
    const source = new EventSource(`${started.links.events}?cancel_on_leave=true`);
    let faults = 0;
    const stop = () => {
      source.close();
      signal.removeEventListener("abort", aborted);
    };
    const aborted = () => {
      stop();
      failed(signal.reason);
    };
    signal.addEventListener("abort", aborted);
    source.addEventListener("progress", (event) => {
      faults = 0;
      progress(JSON.parse(event.data));
    });
    source.addEventListener("end", (event) => {
      stop();
      done(JSON.parse(event.data));
    });
    source.onerror = async () => {
      if (source.readyState !== EventSource.CLOSED && ++faults < 4) return; // it tries again by itself
      stop();
      try {
        const job = await (await call(started.links.self, { signal })).json();
        if (["done", "failed", "cancelled"].includes(job.state)) done(job);
        else failed(new Problem(OFFLINE));
      } catch (error) {
        failed(error);
      }
    };
  });
}

/** @param {Record<string, any>} fields of `POST /v1/repair` @param {AbortSignal} [signal] */
export const repair = (fields, signal) =>
  call("/v1/repair", { method: "POST", body: form(meant(fields)), signal }, fields);

/** The mask that a repair would use. @param {Record<string, any>} fields of `POST /v1/mask` @param {AbortSignal} [signal] */
export const effectiveMask = (fields, signal) => call("/v1/mask", { method: "POST", body: form(fields), signal }, fields);

/** A picture as PNG. @param {Record<string, any>} fields of `POST /v1/view` */
export const view = (fields) => call("/v1/view", { method: "POST", body: form(fields) }, fields);

/** What is said in a WAV file. @param {Blob} sound @returns {Promise<{text: string}>} */
export async function listen(sound) {
  const body = new FormData();
  body.append("sound", sound, "words.wav");
  return (await call("/v1/listen", { method: "POST", body })).json();
}

/** What was painted is meant, however much it is. @param {Record<string, any>} fields */
const meant = (fields) => (fields.mask ? { yes: true, ...fields } : fields);

function pause(milliseconds, signal) {
  return new Promise((done, failed) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      failed(signal.reason);
    });
  });
}
