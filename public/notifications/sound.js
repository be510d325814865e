// The sound of a notification: two short tones.

/** How long the browser may take to allow a sound: it does not in a tab that was never used. */
const ALLOWED_AFTER = 300;

/** Plays the sound, where the browser allows it. */
export async function playSound() {
  const context = new AudioContext();
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, ALLOWED_AFTER))]);
  if (context.state !== "running") return context.close();
  const start = context.currentTime;
  const tone = (frequency, at) => {
    const oscillator = new OscillatorNode(context, { frequency });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.setValueAtTime(0, at).linearRampToValueAtTime(0.15, at + 0.01).exponentialRampToValueAtTime(0.001, at + 0.2);
    oscillator.connect(volume).connect(context.destination);
    oscillator.start(at);
    oscillator.stop(at + 0.2);
    return oscillator;
  };
  tone(660, start);
  tone(880, start + 0.12).onended = () => context.close();
}
