/** What happens in the kitchen of the demo recording, in seconds after its start. */
export const scene = {
  seconds: 30,
  /** What is said, by a speech synthesiser. */
  speech: [
    { at: 2, text: "Good morning! I will make us some coffee, it will be ready in a minute." },
    { at: 19, text: "Help! I fell down in the kitchen. Please, come and help me." },
  ],
  /** The smoke detector beeps. */
  alarm: { from: 24, to: 28 },
  /** The belt sensor: walking about, then a fall; from then on it lies still. */
  walk: { to: 15.5 },
  fall: 16,
  /** What the camera sees from when on. */
  views: [
    { from: 0, picture: "coffee" },
    { from: 8, picture: "cat" },
    { from: 15, picture: "coffee" },
  ],
  /** A person walks through the view of the thermal and of the depth camera. */
  person: { from: 3, to: 14 },
  /** A pan on the stove gets hot. */
  pan: { from: 6, hotAt: 20 },
} as const;

/** The first reading's event time: 2026-01-01T08:00:00Z, in microseconds. */
export const start = 1_767_254_400_000_000;
