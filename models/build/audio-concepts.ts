/** What the audio tower can hear, and the words whose mean it is bound to; the first is what it is measured by. */
export const audioConcepts = {
  bird: ["bird", "a bird singing", "birds chirping"],
  dog: ["dog", "a dog barking", "a dog"],
  cat: ["cat", "a cat meowing", "a cat"],
  cow: ["cow", "a cow mooing", "cattle"],
  lion: ["lion", "a lion roaring"],
  sheep: ["sheep", "a sheep bleating"],
  frog: ["frog", "a frog croaking"],
  chicken: ["chicken", "a chicken clucking", "a hen"],
  monkey: ["monkey", "a monkey screeching"],
  donkey: ["donkey", "a donkey braying"],
  speech: ["a person speaking", "speech", "a human voice", "someone talking"],
  silence: ["silence", "a quiet room", "no sound"],
  noise: ["noise", "background noise", "static noise", "white noise"],
  wind: ["wind", "wind blowing"],
  glass: ["glass breaking", "breaking glass", "shattering glass"],
  alarm: ["smoke alarm", "an alarm beeping", "a beeping smoke detector"],
  knocking: ["knocking on a door", "a knock on the door", "knocking"],
  footsteps: ["footsteps", "a person walking"],
  water: ["running water", "water flowing", "water"],
  rain: ["rain", "rain falling"],
  engine: ["engine", "an engine running", "a humming motor"],
  siren: ["siren", "an ambulance siren", "a police siren"],
  clapping: ["clapping", "applause", "people clapping hands"],
  music: ["music", "music playing"],
  doorbell: ["doorbell", "a doorbell ringing"],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type AudioConcept = keyof typeof audioConcepts;

/** The concepts that were learnt from recordings of animals. */
export const animals = ["bird", "dog", "cat", "cow", "lion", "sheep", "frog", "chicken", "monkey", "donkey"] as const;
