// Watches the frame in which streamlit-webrtc runs: it is served by the same server, so its
// standard interfaces (getUserMedia, RTCPeerConnection) can be listened to from here.
const FRAME = "iframe[title='streamlit_webrtc.component.webrtc_streamer']";
const TICK_MS = 250;
const STALL_S = 3;

const OTHER_WAY = "Or use a snapshot or a picture on the Image page.";
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

const INSECURE = ["failed", "No camera on this address.",
  "Browsers give a camera only to pages at https:// or on this machine's own address (localhost). " +
  "Open the app at such an address."];

function refusal(error) {
  const [what, advice] = REFUSALS[error.name] ??
    [`The camera could not be opened (${error.name}: ${error.message}).`, "Press Start to try again."];
  return ["failed", what, `${advice} ${OTHER_WAY}`];
}

const UNPLUGGED = ["failed", "The camera has ended.",
  "It was unplugged, or the browser may not use it any more. Plug it in or allow it again, " +
  "then press Stop and Start."];

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

const READY = ["idle", "Ready.",
  "Press Start; the browser then asks for the camera. The picture goes to the machine that " +
  "runs this app and is not stored."];

// What happens in one document of the frame; it outlives the line that tells of it, which
// Streamlit mounts anew now and then.
class Connection {
  constructor(win) {
    Object.assign(this, { win, pc: null, asking: false, said: READY, data: {} });
    this.unplugged = new WeakSet();
    const media = win.navigator.mediaDevices;
    if (media) {
      const ask = media.getUserMedia.bind(media);
      media.getUserMedia = (wanted) => this.asked(ask(wanted));
    }
    const follow = (pc) => this.follow(pc);
    win.RTCPeerConnection = new Proxy(win.RTCPeerConnection, {
      construct(target, args) {
        const pc = new target(...args);
        follow(pc);
        return pc;
      },
    });
  }

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
      this.said = refusal(error);
      throw error;
    } finally {
      this.asking = false;
    }
  }

  follow(pc) {
    Object.assign(this, { pc, begun: performance.now(), live: false, frames: -1 });
    const close = pc.close.bind(pc);
    pc.close = () => { this.ending(pc); close(); };
  }

  // A page in the background looks too rarely to have seen why.
  ending(pc) {
    if (this.pc !== pc) return;
    this.now(this.data);
    this.pc = null;
    if (this.said[0] !== "failed") this.said = ["idle", "Ended.", "Press Start to go on."];
  }

  // [tone, what, detail]; `data` is what the app knows (connection.py).
  now(data) {
    this.data = data;
    if (this.asking) {
      return ["busy", "Asking for the camera.",
        "Answer the browser's question near the address bar."];
    }
    if (this.pc?.getSenders().some(({ track }) => this.unplugged.has(track))) return UNPLUGGED;
    if (this.pc) return (this.said = this.connecting(data));
    if (this.videos().some((video) => video.srcObject?.active)) return this.playing(); // came too late
    const { isSecureContext, navigator } = this.win;
    return isSecureContext && navigator.mediaDevices ? this.said : INSECURE;
  }

  connecting(data) {
    const { pc } = this;
    const seconds = (performance.now() - this.begun) / 1000;
    const patience = data.patience_s;
    if (pc.connectionState === "connected") return this.playing();
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
    return ["live", "Live.", "Every model works on the newest picture; the tiles tell how old each overlay is."];
  }

  // A video element's clock goes on in a frozen stream; its count of frames does not.  Firefox
  // leaves streams out of the standard count.
  shown() {
    const counts = this.videos().map(
      (v) => v.mozPaintedFrames ?? v.getVideoPlaybackQuality?.().totalVideoFrames ?? 0);
    return Math.max(0, ...counts);
  }

  videos() { return [...this.win.document.querySelectorAll("video")]; }
}

// The frame has a new document whenever the page was left and opened again, and right at first,
// when it is still empty.
function connectionOf(frame) {
  const win = frame?.contentWindow;
  if (!win || win.document.URL === "about:blank") return null;
  return (win.document.poseConnection ??= new Connection(win));
}

class Line {
  constructor(root) {
    this.root = root.querySelector(".connection");
    this.data = {};
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.lookOut();
  }

  close() {
    clearInterval(this.timer);
    this.timer = null;
  }

  // Looks at every repaint until the frame is there: Start may be pressed right then.
  lookOut() {
    if (this.timer === null || connectionOf(document.querySelector(FRAME))) return;
    requestAnimationFrame(() => this.lookOut());
  }

  tick() {
    const connection = connectionOf(document.querySelector(FRAME));
    this.show(connection?.now(this.data) ?? READY);
  }

  show([tone, what, detail]) {
    const text = `${tone}|${what}|${detail}`;
    if (text === this.text) return;
    this.text = text;
    this.root.className = `connection ${tone}`;
    this.root.querySelector(".state").textContent = what;
    this.root.querySelector(".detail").textContent = detail;
  }
}

export default function ({ data, parentElement }) {
  const line = (parentElement.poseLine ??= new Line(parentElement));
  line.data = data;
  line.tick();
  return () => {
    line.close();
    delete parentElement.poseLine;
  };
}
