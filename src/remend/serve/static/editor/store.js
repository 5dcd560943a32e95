// Work that survives a reload: pictures, their history and their answers in IndexedDB.

const VERSION = 1;

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

function database() {
  opened ??= new Promise((done, failed) => {
    const request = indexedDB.open("remend", VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("works", { keyPath: "id" });
      request.result.createObjectStore("entries", { keyPath: ["work", "at"] });
      request.result.createObjectStore("answers", { keyPath: "id" }).createIndex("work", "work");
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  return opened;
}

/** @param {string[]} stores @param {IDBTransactionMode} mode @param {(transaction: IDBTransaction) => any} act */
async function within(stores, mode, act) {
  const transaction = (await database()).transaction(stores, mode);
  const finished = new Promise((done, failed) => {
    transaction.oncomplete = done;
    transaction.onabort = transaction.onerror = () => failed(transaction.error);
  });
  const asked = act(transaction);
  await finished;
  return asked?.result;
}

const ofWork = (work) => IDBKeyRange.bound([work, 0], [work, Infinity]);

/** @param {"works" | "entries" | "answers"} store */
export const put = (store, record) => within([store], "readwrite", (t) => t.objectStore(store).put(record));

export const workOf = (id) => within(["works"], "readonly", (t) => t.objectStore("works").get(id));
export const allWorks = () => within(["works"], "readonly", (t) => t.objectStore("works").getAll());
export const entriesOf = (work) => within(["entries"], "readonly", (t) => t.objectStore("entries").getAll(ofWork(work)));
export const answersOf = (work) => within(["answers"], "readonly", (t) => t.objectStore("answers").index("work").getAll(work));

/** A new step of a history: what could have been done again is gone. */
export const append = (entry) =>
  within(["entries"], "readwrite", (t) => {
    const store = t.objectStore("entries");
    store.delete(IDBKeyRange.bound([entry.work, entry.at], [entry.work, Infinity]));
    store.put(entry);
  });

export const forgetAnswers = (ids) =>
  within(["answers"], "readwrite", (t) => {
    for (const id of ids) t.objectStore("answers").delete(id);
  });

/** Everything about one picture. */
export const forget = (work) =>
  within(["works", "entries", "answers"], "readwrite", (t) => {
    t.objectStore("works").delete(work);
    t.objectStore("entries").delete(ofWork(work));
    t.objectStore("answers").index("work").openKeyCursor(IDBKeyRange.only(work)).onsuccess = (event) => {
      const cursor = event.target.result;
      if (!cursor) return;
      t.objectStore("answers").delete(cursor.primaryKey);
      cursor.continue();
    };
  });
