// Other tabs of this browser that hold the same pictures: each tells what it has changed, and the others follow.

const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("remend") : null;

/** @param {string} id of a picture that was changed, opened or closed here, after it was kept */
export const tellOthers = (id) => channel?.postMessage(id);

/** @param {(id: string) => void} run called when another tab has done so */
export const hearOthers = (run) => channel?.addEventListener("message", ({ data }) => run(data));
