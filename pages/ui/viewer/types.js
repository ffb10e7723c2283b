// What the viewers' modules hand each other. Nothing here runs.

/**
 * @typedef {object} Skeleton
 * @property {string[]} joints
 * @property {[number, number, number | boolean][]} bones joint, joint, whether the limb is a right one
 * @property {number[]} [right] the joints of the right side
 *
 * @typedef {object} Person
 * @property {number} id negative where the person is not followed or does not count
 * @property {ArrayLike<number>} xy flat [x0, y0, x1, ...] in pixels of the picture, NaN where absent
 * @property {ArrayLike<number>} score one a joint
 * @property {ArrayLike<number> | null} [box] xyxy in pixels
 * @property {ArrayLike<number> | null} [smooth] as xy
 * @property {[number, string][]} [doubts] joint, and what is implausible about it
 *
 * What one model found.
 * @typedef {object} Layer
 * @property {string} key
 * @property {string} title
 * @property {string} colour
 * @property {number} [variant] which of its family it is, from 0
 * @property {string} kind what its scores are
 * @property {number} threshold
 * @property {Skeleton} skeleton
 * @property {Person[]} people
 * @property {boolean} [matched] a person's id means the same person in other layers
 * @property {boolean} [stale] the poses are another frame's
 * @property {boolean} [hidden] not drawn now
 * @property {string} [note]
 * @property {string} [message]
 *
 * A joint on show: the layer's key, the person's id, the joint's position in the skeleton.
 * @typedef {{layer: string, person: number, joint: number}} Ref
 *
 * A joint by name, as Python knows it.
 * @typedef {{model: string, person: number, joint: string}} NamedJoint
 *
 * Maps a picture to a canvas in CSS pixels: x * scale + dx.
 * @typedef {{scale: number, dx: number, dy: number}} Place
 *
 * @typedef {{zoom: number, cx: number, cy: number}} View
 * @typedef {[number, number]} Point
 * @typedef {{width: number, height: number}} Size
 * @typedef {Size & {id: string, url: string}} Picture
 *
 * @typedef {object} Options
 * @property {"hidden" | "faint"} weak
 * @property {boolean} labels
 * @property {boolean} points
 * @property {boolean} bones
 * @property {boolean} boxes
 * @property {Set<string> | null} joints
 * @property {number} lineWidth
 *
 * As Python sends them.
 * @typedef {Omit<Options, "joints"> & {joints: string[] | null}} SentOptions
 *
 * @typedef {{raw: number[], smooth: number[] | null | undefined}} Track
 *
 * Who is who, where a panel shows several models.
 * @typedef {{title: string, colour: string, variant?: number}} LegendEntry
 *
 * @typedef {object} PanelData
 * @property {string} title
 * @property {string} subtitle
 * @property {string} colour of the mark beside the title, "" for none
 * @property {number} [variant] of the model that the mark stands for
 * @property {LegendEntry[]} [legend]
 * @property {string[]} layers
 * @property {string} message
 * @property {string} tone
 * @property {string} [note]
 *
 * @typedef {object} Panel
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} tip
 * @property {HTMLElement} message
 * @property {HTMLElement} heading
 * @property {HTMLElement} note
 * @property {HTMLElement} figure
 * @property {PanelData} data
 *
 * Kept across reruns and remounts, by the component's key.
 * @typedef {object} Memory
 * @property {string} id of the picture or clip
 * @property {View} view
 * @property {Ref | null} chosen
 * @property {Ref | null} picked
 * @property {number} [seq] of the last command
 * @property {string} [focused] name of the last box that was zoomed to
 * @property {number} [come]
 * @property {ImageBitmap} [bitmap]
 *
 * A drag of something on the canvas.
 * @typedef {{move: (by: Point) => void, drop: (kept: boolean) => void}} Grab
 *
 * What Streamlit calls a component with.
 * @typedef {HTMLElement & {[name: string]: any}} Host
 */

export {};
