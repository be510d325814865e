// Adds a button to each password field that shows and hides the password. Without this script the fields are plain.

for (const field of document.querySelectorAll(".password-field input")) {
  const button = document.createElement("button");
  const verb = document.createTextNode("");
  const object = document.createElement("span");
  object.className = "visually-hidden";
  object.textContent = " password";
  button.type = "button";
  button.append(verb, object);
  const setShown = (shown) => {
    field.type = shown ? "text" : "password";
    verb.data = shown ? "Hide" : "Show";
  };
  button.addEventListener("click", () => {
    setShown(field.type === "password");
    field.focus();
  });
  // A browser offers to store what is sent in a password field.
  field.form?.addEventListener("submit", () => setShown(false));
  setShown(false);
  field.after(button);
}
