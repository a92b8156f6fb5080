export { type DrawOptions, draw, type Marble, type MarbleOptions, marbleLength, marbles } from "../core/marbles.js";
