import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";
import "./viewer.css";

const NAMESPACE = "urn:x-realname:workflow:1";
const READABLE = 0.45; // below this zoom the labels can't be read any more
const CLOSE = 0.75; // the zoom at which they can
const MARGIN = 20; // around the diagram, in its own units
const STEP = 1.25;
const STRIDE = 60; // pixels an arrow key moves the diagram

for (const place of document.querySelectorAll("[data-diagram]")) show(place);

async function show(place) {
  const canvasPlace = place.querySelector("[data-diagram-canvas]") ?? place;
  try {
    const xml = inLanguage(await source(place.dataset.diagram), document.documentElement.lang);
    canvasPlace.replaceChildren();
    const viewer = new NavigatedViewer({ container: canvasPlace, zoomScroll: { enabled: false } });
    await viewer.importXML(xml);
    const active = light(viewer, place.dataset.active, "is-active");
    light(viewer, place.dataset.done, "is-done");
    overview(viewer, active);
    addButtons(place, viewer);
    addKeys(place, viewer);
    addTouch(canvasPlace, viewer);
    place.dataset.ready = "true";
  } catch (error) {
    const sorry = document.createElement("p");
    sorry.className = "app-diagram__fallback";
    sorry.textContent = place.dataset.failed ?? "";
    canvasPlace.replaceChildren(sorry);
    console.error(error);
  }
}

// An address, or "#…": the page's own field that holds a diagram which is stored nowhere.
async function source(address) {
  if (address.startsWith("#")) return document.querySelector(address).value;
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${response.status}`);
  return response.text();
}

function inLanguage(xml, language) {
  if (!language.startsWith("en")) return xml;
  const diagram = new DOMParser().parseFromString(xml, "application/xml");
  for (const element of diagram.querySelectorAll("*")) {
    const name = element.getAttributeNS(NAMESPACE, "name_en");
    const text = element.localName === "textAnnotation" && element.querySelector("text");
    if (name && text) text.textContent = name;
    else if (name) element.setAttribute("name", name);
  }
  return new XMLSerializer().serializeToString(diagram);
}

function light(viewer, ids, marker) {
  const registry = viewer.get("elementRegistry");
  const found = (ids ?? "").split(/\s+/).filter((id) => id && registry.get(id));
  for (const id of found) viewer.get("canvas").addMarker(id, marker);
  return found.map((id) => registry.get(id));
}

// All of the diagram, or, where that would be too small to read, the surroundings of what is going on in it.
function overview(viewer, active) {
  const canvas = viewer.get("canvas");
  canvas.zoom("fit-viewport", "auto");
  if (canvas.zoom() >= READABLE || !active.length) return;
  const { inner, outer } = canvas.viewbox();
  const width = outer.width / CLOSE;
  const height = outer.height / CLOSE;
  const { x, y, width: w, height: h } = active[0];
  canvas.viewbox({
    x: within(x + w / 2 - width / 2, inner.x - MARGIN, inner.x + inner.width + MARGIN - width),
    y: within(y + h / 2 - height / 2, inner.y - MARGIN, inner.y + inner.height + MARGIN - height),
    width,
    height,
  });
}

function within(value, low, high) {
  return Math.max(low, Math.min(value, high));
}

function zoomBy(viewer, factor) {
  const canvas = viewer.get("canvas");
  canvas.zoom(Math.min(4, Math.max(0.1, canvas.zoom() * factor)), "auto");
}

function addButtons(place, viewer) {
  const actions = {
    in: () => zoomBy(viewer, STEP),
    out: () => zoomBy(viewer, 1 / STEP),
    fit: () => viewer.get("canvas").zoom("fit-viewport", "auto"),
  };
  const bar = place.querySelector("[data-diagram-buttons]");
  if (!bar) return;
  bar.hidden = false;
  bar.addEventListener("click", (event) => actions[event.target.closest("button")?.value]?.());
}

function addKeys(place, viewer) {
  const canvas = viewer.get("canvas");
  const keys = {
    ArrowLeft: () => canvas.scroll({ dx: STRIDE, dy: 0 }),
    ArrowRight: () => canvas.scroll({ dx: -STRIDE, dy: 0 }),
    ArrowUp: () => canvas.scroll({ dx: 0, dy: STRIDE }),
    ArrowDown: () => canvas.scroll({ dx: 0, dy: -STRIDE }),
    "+": () => zoomBy(viewer, STEP),
    "=": () => zoomBy(viewer, STEP),
    "-": () => zoomBy(viewer, 1 / STEP),
    0: () => canvas.zoom("fit-viewport", "auto"),
  };
  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

// One finger scrolls the page while all of the diagram is in view, and moves the diagram once it is not.
function addTouch(place, viewer) {
  const canvas = viewer.get("canvas");
  const fits = () => {
    const { inner, width, height } = canvas.viewbox();
    return inner.width <= width * 1.02 && inner.height <= height * 1.02;
  };
  const update = () => place.classList.toggle("app-diagram__canvas--moves", !fits());
  viewer.on("canvas.viewbox.changed", update);
  update();
  let last = null;
  place.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" && event.isPrimary && !fits()) last = event;
  });
  place.addEventListener("pointermove", (event) => {
    if (!last || event.pointerId !== last.pointerId) return;
    canvas.scroll({ dx: event.clientX - last.clientX, dy: event.clientY - last.clientY });
    last = event;
  });
  for (const end of ["pointerup", "pointercancel"]) place.addEventListener(end, () => (last = null));
}
