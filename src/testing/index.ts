export { type DeviceContractOptions, deviceContract } from "./device-contract.js";
