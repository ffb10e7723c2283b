import { sizeNote } from "./size.js";

// Watches the frame in which streamlit-webrtc runs: it is served by the same server, so its
// standard interfaces (getUserMedia, RTCPeerConnection) can be listened to from here.

/**
 * @typedef {[tone: string, what: string, detail: string]} Said
 *
 * What the app knows (connection.py).
 * @typedef {{patience_s: number, turn: boolean, own: boolean, narrow: boolean, wanted: [number, number]}} Known
 *
 * @typedef {Window & typeof globalThis} Win
 */

const FRAME = "iframe[title='streamlit_webrtc.component.webrtc_streamer']";
const TICK_MS = 250;
const STALL_S = 3;
const SIZE_S = 2;
// On a narrow screen the tiles of the video stand under each other.
const NARROW = matchMedia("(max-width: 40rem)");

const OTHER_WAY = "Or use a snapshot or a picture on the Image page.";
/** @type {Record<string, [string, string]>} */
const REFUSALS = {
  NotAllowedError: ["The camera was refused.",
    "Allow it: click the camera or the lock beside the address, choose Allow, then press Start again."],
  NotFoundError: ["No camera was found.", "Plug one in or switch it on, then press Start again."],
  NotReadableError: ["The camera cannot be read.",
    "Another program may be using it: close that one, then press Start again."],
  OverconstrainedError: ["The chosen camera is not there any more.",
    "Choose another one, then press Start again."],
  AbortError: ["The camera did not start.",
    "Another program may be using it, or it was unplugged: mend that, then press Start again."],
};
REFUSALS.SecurityError = REFUSALS.NotAllowedError;

/** @type {Said} */
const INSECURE = ["failed", "No camera on this address.",
  "Browsers give a camera only to pages at https:// or on this machine's own address (localhost). " +
  "Open the app at such an address."];

/** @param {{name: string, message: string}} error @returns {Said} */
function refusal(error) {
  const [what, advice] = REFUSALS[error.name] ??
    [`The camera could not be opened (${error.name}: ${error.message}).`, "Press Start to try again."];
  return ["failed", what, `${advice} ${OTHER_WAY}`];
}

/** @type {Said} */
const UNPLUGGED = ["failed", "The camera has ended.",
  "It was unplugged, or the browser may not use it any more. Plug it in or allow it again, " +
  "then press Stop and Start."];

/** @param {RTCPeerConnection} pc @param {Known} known @param {number} seconds @returns {Said} */
function noWay(pc, { turn, own }, seconds) {
  const after = `after ${Math.round(seconds)} seconds`;
  if (!pc.remoteDescription) {
    return ["failed", `Failed ${after}: the app did not answer.`,
      "It may be busy or was stopped. Press Stop, reload the page and try again."];
  }
  const advice = turn
    ? "Even the relay (TURN) could not be reached: a firewall may block it. Try another network."
    : own
      ? "Both ends seem to be on this machine; a VPN or a firewall may keep them apart. " +
        "Behind a tunnel a relay (TURN) is needed."
      : "No direct way leads to the app, and no relay (TURN) is set up. Try another network, or " +
        "ask whoever runs this app to set one up (docs/live.md).";
  return ["failed", `Failed ${after}: browser and app found no way to each other.`,
    `${advice} ${OTHER_WAY}`];
}

/** @type {Said} */
const READY = ["idle", "Ready.",
  "Press Start; the browser then asks for the camera. The picture goes to the machine that " +
  "runs this app and is not stored."];

/** @type {Said} */
const ENDED = ["idle", "Ended.", "Press Start to go on."];

/** @param {RTCPeerConnection} pc */
const videoSender = (pc) => pc.getSenders().find(({ track }) => track?.kind === "video");

// Left to itself a browser sends smaller pictures where it is slow, and models would see less; it
// sends fewer instead.
/** @param {RTCPeerConnection} pc @returns {Promise<boolean>} whether it is settled */
async function keepSize(pc) {
  const sender = videoSender(pc);
  const wanted = sender?.getParameters();
  if (!sender || !wanted?.encodings?.length) return false; // too early
  Object.assign(wanted, { degradationPreference: "maintain-resolution" });
  return sender.setParameters(wanted).then(() => true, () => false);
}

// What happens in one document of the frame; it outlives the line that tells of it, which
// Streamlit mounts anew now and then.
class Connection {
  /** @param {Win} win */
  constructor(win) {
    this.win = win;
    /** @type {RTCPeerConnection | null} */
    this.pc = null;
    this.asking = false;
    this.said = READY;
    /** @type {Known} */
    this.data = { patience_s: Infinity, turn: false, own: false, narrow: false, wanted: [640, 480] };
    this.begun = this.moved = 0;
    this.live = false;
    this.frames = -1;
    this.size = "";
    this.looked = 0;
    this.kept = false;
    /** @type {WeakSet<MediaStreamTrack>} */
    this.unplugged = new WeakSet();
    const media = win.navigator.mediaDevices;
    if (media) {
      const ask = media.getUserMedia.bind(media);
      media.getUserMedia = (/** @type {MediaStreamConstraints | undefined} */ wanted) => this.asked(ask(wanted));
    }
    const follow = (/** @type {RTCPeerConnection} */ pc) => this.follow(pc);
    win.RTCPeerConnection = new Proxy(win.RTCPeerConnection, {
      construct(target, args) {
        const pc = new target(...args);
        follow(pc);
        return pc;
      },
    });
  }

  /** @param {Promise<MediaStream>} answer */
  async asked(answer) {
    this.asking = true;
    try {
      const stream = await answer;
      this.begun = performance.now();
      // Not told of a track that the page itself stops.
      for (const track of stream.getTracks()) {
        track.addEventListener("ended", () => this.unplugged.add(track));
      }
      return stream;
    } catch (error) {
      if (!this.live) this.pc = null; // else the old camera goes on
      this.said = refusal(/** @type {Error} */ (error));
      throw error;
    } finally {
      this.asking = false;
    }
  }

  /** @param {RTCPeerConnection} pc */
  follow(pc) {
    Object.assign(this, { pc, begun: performance.now(), live: false, frames: -1, size: "", looked: 0, kept: false });
    const close = pc.close.bind(pc);
    pc.close = () => { this.ending(pc); close(); };
  }

  /**
   * A page in the background looks too rarely to have seen why.
   * @param {RTCPeerConnection} pc
   */
  ending(pc) {
    if (this.pc !== pc) return;
    this.now(this.data);
    this.pc = null;
    if (this.said[0] !== "failed") this.said = ENDED;
  }

  /** @param {Known} data @returns {Said} */
  now(data) {
    this.data = data;
    if (this.asking) {
      return ["busy", "Asking for the camera.",
        "Answer the browser's question near the address bar."];
    }
    if (this.pc?.getSenders().some(({ track }) => track && this.unplugged.has(track))) return UNPLUGGED;
    if (this.pc) return (this.said = this.connecting(this.pc, data));
    if (this.videos().some((video) => /** @type {MediaStream | null} */ (video.srcObject)?.active)) return this.playing(); // came too late
    const { isSecureContext, navigator } = this.win;
    return isSecureContext && navigator.mediaDevices ? this.said : INSECURE;
  }

  /** @param {RTCPeerConnection} pc @param {Known} data @returns {Said} */
  connecting(pc, data) {
    const seconds = (performance.now() - this.begun) / 1000;
    const patience = data.patience_s;
    // From before the first picture on: a change of size ends recordings.
    if (!this.kept) void keepSize(pc).then((kept) => { this.kept ||= kept && this.pc === pc; });
    if (pc.connectionState === "connected") {
      const now = performance.now();
      if (now - this.looked > SIZE_S * 1000) {
        this.looked = now;
        void this.look(pc);
      }
      return this.playing();
    }
    if (["failed", "disconnected"].includes(pc.connectionState)) {
      return this.live
        ? ["failed", "The connection was lost.", "The network or the app went away. " +
          "Press Start to try again; if that does nothing, reload the page."]
        : noWay(pc, data, Math.min(seconds, patience));
    }
    if (seconds > patience) return noWay(pc, data, patience);
    const since = `${Math.round(seconds)} s`;
    if (!pc.remoteDescription) {
      return ["busy", "Gathering addresses.", `Browser and app look for ways to each other (${since}).`];
    }
    return ["busy", "Connecting.", `Trying the ways that were found (${since}).`];
  }

  /** @param {RTCPeerConnection} pc */
  async look(pc) {
    const sender = videoSender(pc);
    if (!sender) return;
    const { width = 0, height = 0 } = sender.track?.getSettings() ?? {};
    const reports = [...(await sender.getStats()).values()];
    const sent = reports.find(({ type, frameWidth }) => type === "outbound-rtp" && frameWidth) ?? null;
    if (this.pc === pc) this.size = sizeNote(this.data.wanted, [width, height], sent);
  }

  /** @returns {Said} */
  playing() {
    this.live = true;
    const frames = this.shown();
    if (frames !== this.frames) Object.assign(this, { frames, moved: performance.now() });
    const still = (performance.now() - this.moved) / 1000;
    if (still > STALL_S) {
      return ["busy", "Connected, but the picture stands still.",
        `Nothing new for ${Math.round(still)} s: the network or the app is too slow, or it was lost.`];
    }
    if (!frames) return ["busy", "Connected.", "Waiting for the first picture."];
    return ["live", "Live.",
      this.size || "Every model works on the newest picture; the tiles tell how old each overlay is."];
  }

  // A video element's clock goes on in a frozen stream; its count of frames does not.  Firefox
  // leaves streams out of the standard count.
  shown() {
    const counts = this.videos().map(
      (v) => /** @type {{mozPaintedFrames?: number}} */ (v).mozPaintedFrames ?? v.getVideoPlaybackQuality?.().totalVideoFrames ?? 0);
    return Math.max(0, ...counts);
  }

  videos() { return [...this.win.document.querySelectorAll("video")]; }
}

// The frame has a new document whenever the page was left and opened again, and right at first,
// when it is still empty.
function connectionOf() {
  /** @type {HTMLIFrameElement | null} */
  const frame = document.querySelector(FRAME);
  const win = /** @type {Win | null | undefined} */ (frame?.contentWindow);
  if (!win || win.document.URL === "about:blank") return null;
  const owner = /** @type {Document & {poseConnection?: Connection}} */ (win.document);
  return (owner.poseConnection ??= new Connection(win));
}

class Line {
  /** @param {HTMLElement} root @param {Known} data */
  constructor(root, data) {
    this.root = /** @type {HTMLElement} */ (root.querySelector(".connection"));
    this.state = /** @type {HTMLElement} */ (root.querySelector(".state"));
    this.detail = /** @type {HTMLElement} */ (root.querySelector(".detail"));
    this.data = data;
    this.text = "";
    /** @type {ReturnType<typeof setInterval> | null} */
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.lookOut();
  }

  close() {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  // Looks at every repaint until the frame is there: Start may be pressed right then.
  lookOut() {
    if (this.timer === null || connectionOf()) return;
    requestAnimationFrame(() => this.lookOut());
  }

  tick() {
    const connection = connectionOf();
    this.show(connection?.now(this.data) ?? READY);
  }

  /** @param {Said} said */
  show([tone, what, detail]) {
    const text = `${tone}|${what}|${detail}`;
    if (text === this.text) return;
    this.text = text;
    this.root.className = `connection ${tone}`;
    this.state.textContent = what;
    this.detail.textContent = detail;
  }
}

/**
 * @param {object} component
 * @param {Known} component.data
 * @param {HTMLElement & {poseLine?: Line}} component.parentElement
 * @param {(name: string, value: any) => void} component.setStateValue
 */
export default function ({ data, parentElement, setStateValue }) {
  const line = (parentElement.poseLine ??= new Line(parentElement, data));
  line.data = data;
  line.tick();
  NARROW.onchange = () => setStateValue("narrow", NARROW.matches);
  if (data.narrow !== NARROW.matches) setStateValue("narrow", NARROW.matches);
  return () => {
    NARROW.onchange = null;
    line.close();
    delete parentElement.poseLine;
  };
}
