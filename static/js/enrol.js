// Enrolment: a photo from a file, dropped, or from this device's camera; what it is good
// for is said at once, and a refusal leaves the photo where it is.

import "./rows.js";

const SIDE_MAX = 1600; // px; no face in it is larger than recognition needs
const JPEG_QUALITY = 0.92;
const BOX = { good: "#62d394", bad: "#ff9a91" };
const LOGGED_OUT = "Your login has ended. Reload this page to log in, then choose the photo again.";
const MEASURES = {
  height_px: (value) => `${Math.round(value)} px high`,
  sharpness: (value) => `${Math.round(value)}`,
  turn: (value) => (Math.abs(value) < 0.05 ? "straight" : `${Math.round(Math.abs(value) * 100)} %`),
  quality: (value, report) => `${report.quality_word} (${value.toFixed(2)})`,
};

const form = document.getElementById("enrol");
const input = document.getElementById("photo");
const video = document.getElementById("video");
const canvas = document.getElementById("canvas");
const words = document.getElementById("stage-words");
const verdict = document.getElementById("verdict");
const measures = document.getElementById("measures");
const [useCamera, take, stop, submit] = ["use-camera", "take", "stop", "submit"].map((id) => document.getElementById(id));
let stream = null;
let looked = 0; // counts photos: the answer to an older one is dropped

function say(state, sentence) {
  const line = document.createElement("p");
  line.className = "verdict";
  const shape = document.createElement("span");
  shape.className = "shape";
  shape.dataset.shape = { good: "circle", bad: "triangle" }[state] ?? "ring";
  shape.ariaHidden = "true";
  line.append(shape, ` ${sentence}`);
  verdict.dataset.state = state;
  verdict.replaceChildren(line);
  input.ariaInvalid = String(state === "bad");
}

async function post(address) {
  const response = await fetch(address, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new FormData(form),
  });
  // Without a login every address leads to the login page.
  if (response.redirected) return { ok: false, sentence: LOGGED_OUT };
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  if (!isJson) throw new Error(`The server answered ${response.status}.`);
  return response.json();
}

async function examine() {
  const file = input.files[0];
  const number = ++looked;
  if (!file) return;
  measures.hidden = true;
  say("", "Looking at the photo ...");
  const picture = await createImageBitmap(file).catch(() => null);
  if (number !== looked) return;
  draw(picture);
  try {
    const report = await post(form.dataset.examine);
    if (number === looked) tell(picture, report);
  } catch {
    if (number === looked) say("bad", "The photo could not be examined: the server did not answer. Try again.");
  }
}

function draw(picture) {
  canvas.hidden = !picture;
  words.hidden = Boolean(picture);
  words.textContent = "This file cannot be shown.";
  if (!picture) return;
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
}

function tell(picture, report) {
  const state = report.ok ? "good" : "bad";
  say(state, report.sentence);
  if (picture && report.box) drawBox(report.box, BOX[state]);
  measures.hidden = report.quality == null;
  for (const [name, write] of Object.entries(MEASURES)) {
    const value = report[name];
    measures.querySelector(`[data-measure="${name}"]`).textContent = value == null ? "" : write(value, report);
  }
}

function drawBox([left, top, right, bottom], colour) {
  const { width, height } = canvas;
  const pen = canvas.getContext("2d");
  pen.lineWidth = Math.max(3, width / 200);
  pen.strokeStyle = colour;
  pen.strokeRect(left * width, top * height, (right - left) * width, (bottom - top) * height);
}

/** Take a photo as if it had been chosen, so that the form sends it. */
function choose(file) {
  const files = new DataTransfer();
  files.items.add(file);
  input.files = files.files;
  examine();
}

async function startCamera() {
  useCamera.disabled = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    say("bad", whyNoCamera(error));
    return;
  } finally {
    useCamera.disabled = false;
  }
  video.srcObject = stream;
  await video.play();
  showCamera(true);
}

function whyNoCamera(error) {
  if (error.name === "NotAllowedError") return "The browser may not use the camera. Allow it beside the address, or choose a file.";
  if (error.name === "NotFoundError") return "This device has no camera. Choose a file.";
  return "The camera cannot be used, perhaps because another program has it. Choose a file.";
}

function showCamera(isOn) {
  video.hidden = take.hidden = stop.hidden = !isOn;
  useCamera.hidden = isOn;
  canvas.hidden = isOn || !input.files.length;
  words.hidden = isOn || !canvas.hidden;
}

function stopCamera() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  showCamera(false);
}

async function takePhoto() {
  const scale = Math.min(1, SIDE_MAX / Math.max(video.videoWidth, video.videoHeight));
  const frame = document.createElement("canvas");
  frame.width = video.videoWidth * scale;
  frame.height = video.videoHeight * scale;
  frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
  const jpeg = await new Promise((done) => frame.toBlob(done, "image/jpeg", JPEG_QUALITY));
  stopCamera();
  choose(new File([jpeg], "camera.jpg", { type: "image/jpeg" }));
}

async function enrol(event) {
  event.preventDefault();
  submit.disabled = true;
  say("", "Enrolling ...");
  try {
    const { next, sentence } = await post(form.action);
    if (next) location.href = next;
    else say("bad", sentence);
  } catch {
    say("bad", "Nothing was enrolled: the server did not answer. Try again.");
  } finally {
    submit.disabled = false;
  }
}

function drop(event) {
  event.preventDefault();
  form.classList.remove("is-over");
  const [file] = event.dataTransfer.files;
  if (file) choose(file);
}

function setUp() {
  for (const one of document.querySelectorAll(".with-scripts")) one.hidden = false;
  // Browsers give the camera to pages over https alone, and to this machine's own.
  useCamera.hidden = !navigator.mediaDevices;
  input.addEventListener("change", examine);
  form.addEventListener("submit", enrol);
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("is-over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("is-over"));
  form.addEventListener("drop", drop);
  useCamera.addEventListener("click", startCamera);
  take.addEventListener("click", takePhoto);
  stop.addEventListener("click", stopCamera);
  addEventListener("pagehide", stopCamera);
}

if (form) setUp();
