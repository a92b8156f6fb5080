import * as z from "zod";

const perDay = { hour: 24, day: 1, week: 1 / 7, month: 1 / 30 } as const;

/** How often a false alarm may come, in a configuration: `1/day`, `0.5/week`; its output is a number a day. */
export const FalseAlarms = z
  .string()
  .regex(
    /^\d+(?:\.\d+)?\s*\/\s*(?:hour|day|week|month)$/,
    "write how many false alarms are bearable, for instance 1/day or 2/week",
  )
  .transform((text) => {
    const [count, unit] = text.split("/").map((part) => part.trim());
    return Number(count) * perDay[unit as keyof typeof perDay];
  })
  .refine((rate) => rate > 0, "no false alarms at all cannot be promised: write for instance 1/month");
