export type { Alert } from "../core/alert.js";
export { isSenseError, SenseError } from "../core/errors.js";
export type { Event } from "../core/event.js";
export type { CommandName, CommandRequest, CommandResult } from "../publish/commands.js";
export { decodeEmbedding, type WireEmbedding } from "../publish/embedding-format.js";
export type { Calibration, SensorStatus, State, Status } from "../publish/messages.js";
export type {
  Client,
  Filter,
  Of,
  OfConcept,
  OfSensor,
  ReceivedEmbedding,
  RequestOptions,
} from "./api.js";
export { connect } from "./client.js";
export type { ConnectOptions } from "./mqtt.js";
export type { Gap } from "./sequence.js";
