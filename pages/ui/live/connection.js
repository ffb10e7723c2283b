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
  AbortError: ["The camera stopped by itself.", "Plug it in again, then press Start again."],
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

function noWay(watch, seconds) {
  const after = `after ${Math.round(seconds)} seconds`;
  if (!watch.pc?.remoteDescription) {
    return ["failed", `Failed ${after}: the app did not answer.`,
      "It may be busy or was stopped. Press Stop, reload the page and try again."];
  }
  const advice = watch.data.turn
    ? "Even the relay (TURN) could not be reached: a firewall may block it. Try another network."
    : watch.data.own
      ? "Both ends seem to be on this machine; a VPN or a firewall may keep them apart. " +
        "Behind a tunnel a relay (TURN) is needed."
      : "No direct way leads to the app, and no relay (TURN) is set up. Try another network, or " +
        "ask whoever runs this app to set one up (docs/live.md).";
  return ["failed", `Failed ${after}: browser and app found no way to each other.`,
    `${advice} ${OTHER_WAY}`];
}

class Watch {
  constructor(root) {
    this.root = root.querySelector(".connection");
    this.data = {};
    this.pc = null;
    this.said = ["idle", "Ready.",
      "Press Start; the browser then asks for the camera. The picture goes to the machine that " +
      "runs this app and is not stored."];
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  close() { clearInterval(this.timer); }

  tick() {
    const frame = document.querySelector(FRAME);
    this.window = frame?.contentWindow ?? null;
    if (this.window) this.listen(this.window);
    this.show(this.now());
  }

  // The frame has a new document whenever the page was left and opened again, and right at first,
  // when it is still empty.
  listen(win) {
    const { document: page } = win;
    if (page.URL === "about:blank" || page.poseWatch === this) return;
    const known = page.poseWatch;
    page.poseWatch = this;
    if (known) return;
    this.pc = null;
    const media = win.navigator.mediaDevices;
    if (media) {
      const ask = media.getUserMedia.bind(media);
      media.getUserMedia = (wanted) => page.poseWatch.asked(ask(wanted));
    }
    win.RTCPeerConnection = new Proxy(win.RTCPeerConnection, {
      construct(target, args) {
        const pc = new target(...args);
        page.poseWatch.follow(pc);
        return pc;
      },
    });
  }

  async asked(answer) {
    this.asking = performance.now();
    try {
      const stream = await answer;
      this.begun = performance.now();
      return stream;
    } catch (error) {
      this.pc = null;
      this.said = refusal(error);
      throw error;
    } finally {
      this.asking = null;
    }
  }

  follow(pc) {
    Object.assign(this, { pc, begun: performance.now(), live: false, frames: -1 });
    pc.addEventListener("connectionstatechange", () => this.tick());
    const close = pc.close.bind(pc);
    pc.close = () => { close(); this.closed(pc); };
  }

  closed(pc) {
    if (this.pc !== pc) return;
    this.pc = null;
    if (this.said[0] !== "failed") this.said = ["idle", "Ended.", "Press Start to go on."];
    this.tick();
  }

  now() {
    if (this.asking) return this.waiting();
    if (!this.pc) {
      const win = this.window;
      return win && (!win.isSecureContext || !win.navigator.mediaDevices) ? INSECURE : this.said;
    }
    return (this.said = this.connecting());
  }

  waiting() {
    return ["busy", "Asking for the camera.", "Answer the browser's question near the address bar."];
  }

  connecting() {
    const { pc } = this;
    const seconds = (performance.now() - this.begun) / 1000;
    const { patience_s: patience } = this.data;
    if (pc.connectionState === "connected") return this.playing();
    if (["failed", "disconnected"].includes(pc.connectionState)) {
      return this.live
        ? ["failed", "The connection was lost.", "The network or the app went away. Press Start to try again."]
        : noWay(this, Math.min(seconds, patience));
    }
    if (seconds > patience) return noWay(this, patience);
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
    return ["live", "Live.", "Every model works on the newest picture; the tiles tell how old each overlay is."];
  }

  // A video element's clock goes on in a frozen stream; its count of frames does not.
  shown() {
    const videos = [...(this.window?.document.querySelectorAll("video") ?? [])];
    return Math.max(0, ...videos.map((v) => v.getVideoPlaybackQuality?.().totalVideoFrames ?? 0));
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
  const watch = (parentElement.poseWatch ??= new Watch(parentElement));
  watch.data = data;
  watch.tick();
  return () => {
    watch.close();
    delete parentElement.poseWatch;
  };
}
