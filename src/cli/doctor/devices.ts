import type { Config } from "../../config.js";
import { SenseError } from "../../core/errors.js";
import { allDevices, openDevice } from "../../device/open.js";
import { parseOptions } from "../../device/options.js";
import { failure, ok, type Seen } from "./finding.js";

/** What is plugged in, of what the adapters can find. */
export async function lookForDevices(): Promise<Seen> {
  const adapters = await allDevices();
  const found = await Promise.all(
    adapters.map(async ({ name, discover }) => ({ name, found: (await discover?.().catch(() => [])) ?? [] })),
  );
  const plugged = found.flatMap(({ name, found: each }) => each.map(({ title }) => `${title} (${name})`));
  const facts = { adapters: adapters.length, found: plugged };
  return ok(`${adapters.length} adapters; plugged in: ${plugged.join(", ") || "nothing that they can find"}`, facts);
}

/** Whether each configured sensor has an adapter that takes its options; `probe` opens the device itself. */
export async function lookAtSensors({ sensors }: Pick<Config, "sensors">, folder: string): Promise<readonly Seen[]> {
  const looks = Object.entries(sensors).map(async ([sensor, { device: name, modality, options }]): Promise<Seen> => {
    const device = await openDevice(name, { folder });
    if (!device.modalities.includes(modality)) {
      throw new SenseError("MODALITY_UNSUPPORTED", `sensors.${sensor}: ${name} cannot give ${modality}`, {
        hint: `It gives ${device.modalities.join(", ")}.`,
      });
    }
    parseOptions(device, options);
    return ok(`${sensor}: ${modality} from ${name}`, { sensor, modality, device: name });
  });
  return await Promise.all(looks.map((look) => look.catch(failure)));
}
