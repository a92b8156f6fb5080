/** What the IMU tower can tell, and the words whose mean it is bound to; the first is what it is measured by. */
export const imuConcepts = {
  fall: [
    "a person has fallen",
    "a person falling down",
    "someone fell",
    "a fall",
    "falling",
    "a person falls to the ground",
  ],
  walk: ["a person is walking", "walking", "a person walks"],
  jog: ["a person is jogging", "running", "a person is running", "jogging"],
  stairs: ["a person is climbing stairs", "walking up and down stairs", "climbing stairs"],
  sit: ["a person is sitting down", "sitting down on a chair", "getting up from a chair", "sitting"],
  lie: ["a person lies down", "lying down on a bed", "lying down"],
  roll: ["a person turning over in bed", "rolling over while lying"],
  bend: ["a person bends down", "bending at the knees"],
  car: ["a person gets into a car", "getting into a car"],
  stumble: ["a person stumbles while walking", "stumbling"],
  jump: ["a person is jumping", "jumping"],
  still: [
    "a person is standing still",
    "standing still",
    "no movement",
    "a person is not moving",
    "a sensor at rest",
    "lying still",
  ],
  fallen: ["a person is lying motionless on the floor", "a person has fallen", "no movement"],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type ImuConcept = keyof typeof imuConcepts;

/** Words of ordinary life: every concept but a fall leans to them. */
export const dailyWords = [
  "daily life",
  "a person doing daily activities",
  "everyday activity",
  "normal movement",
] as const;

/** SisFall's daily activities; falls are F01 to F15. */
export const activityConcepts: Readonly<Record<string, ImuConcept>> = {
  D01: "walk",
  D02: "walk",
  D03: "jog",
  D04: "jog",
  D05: "stairs",
  D06: "stairs",
  D07: "sit",
  D08: "sit",
  D09: "sit",
  D10: "sit",
  D11: "sit",
  D12: "lie",
  D13: "lie",
  D14: "roll",
  D15: "bend",
  D16: "bend",
  D17: "car",
  D18: "stumble",
  D19: "jump",
};

/** What is done before the fall, where the recording's name tells. */
export const beforeFall: Readonly<Record<string, ImuConcept>> = {
  F01: "walk",
  F02: "walk",
  F03: "walk",
  F04: "walk",
  F05: "jog",
  F06: "walk",
  F07: "walk",
};
