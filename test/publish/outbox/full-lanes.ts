import { type Lane, lanes } from "../../../src/publish/outbox/letter.js";

/** Two of each lane in turn: a begin and its end are neighbours. */
export const laneOf = (number: number): Lane => lanes[Math.floor(number / 2) % 3]!;
