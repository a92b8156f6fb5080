export { SenseError } from "./core/errors.js";
