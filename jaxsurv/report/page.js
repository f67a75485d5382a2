"use strict";

// A minus sign belongs to the number after a space ("λ = -3"), not inside a name ("TCGA-05").
const NUMBER = /((?:(?<=\s|^)-)?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?)/;

const value = (text) => (text === "none" ? 0 : parseFloat(text.replaceAll(",", "")));

// A cell as texts and numbers in turns, so that "β = 2" comes before "β = 10"; null: nothing to sort by.
function key(cell) {
  const text = cell.textContent.trim();
  if (cell.classList.contains("number")) {
    return Number.isNaN(value(text)) ? null : ["", value(text)];
  }
  return text ? text.split(NUMBER).map((part, i) => (i % 2 ? value(part) : part)) : null;
}

function compare(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = i % 2 ? a[i] - b[i] : a[i].localeCompare(b[i]);
    if (difference) return difference;
  }
  return a.length - b.length;
}

// Rows with nothing to sort by come last in both orders; ties keep their order.
function sorted(rows, column, order) {
  if (!order) return rows;
  const sign = order === "ascending" ? 1 : -1;
  const keyed = rows.map((row) => ({ row, key: key(row.cells[column]) }));
  const filled = keyed.filter((item) => item.key).sort((a, b) => sign * compare(a.key, b.key));
  return [...filled, ...keyed.filter((item) => !item.key)].map((item) => item.row);
}

for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  const next = { none: "ascending", ascending: "descending" };
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort: ascending, descending, as it was";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const order = next[header.getAttribute("aria-sort") ?? "none"];
      for (const other of headers) other.removeAttribute("aria-sort");
      if (order) header.setAttribute("aria-sort", order);
      table.tBodies[0].append(...sorted(rows, column, order));
    });
  });
}

// A table that does not fit says that it goes on.
for (const box of document.querySelectorAll("[role=region]")) {
  const more = document.createElement("div");
  more.className = "more";
  more.textContent = "The table goes on to the right: scroll.";
  box.after(more);
  const look = () => box.classList.toggle("wide", box.scrollWidth > box.clientWidth + 1);
  look();
  window.addEventListener("resize", look);
}

for (const figure of document.querySelectorAll("figure")) {
  const button = document.createElement("button");
  const toggle = () => {
    const full = figure.classList.toggle("full");
    button.textContent = full ? "Fit the page" : "Full size";
  };
  button.type = "button";
  button.textContent = "Full size";
  button.addEventListener("click", toggle);
  figure.querySelector("img").addEventListener("click", toggle);
  figure.querySelector(".box").after(button);
}
