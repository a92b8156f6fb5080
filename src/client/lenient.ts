import * as z from "zod";
import { Alert } from "../core/alert.js";
import { Event } from "../core/event.js";
import { Calibration, SensorStatus, State, Status } from "../publish/messages.js";

// What a later release adds to version 1 is ignored, not refused: fields, and reasons.
export const LenientEvent = z.object({ ...Event.shape, reason: Event.shape.reason.catch(undefined) });
export const LenientAlert = z.object(Alert.shape);
export const LenientState = z.object(State.shape);
export const LenientStatus = z.object(Status.shape);
export const LenientSensorStatus = z.object(SensorStatus.shape);
export const LenientCalibration = z.object(Calibration.shape);
