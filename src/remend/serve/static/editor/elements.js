// The elements of index.html, by their ids.

export const $ = (id) => document.getElementById(id);
