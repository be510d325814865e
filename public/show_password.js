// Adds a button to each password field that shows and hides the password. Without this script the fields are plain.

for (const field of document.querySelectorAll(".password-field input")) {
  const { show, showLabel, hide, hideLabel } = field.parentElement.dataset;
  const button = document.createElement("button");
  const word = document.createElement("span");
  const name = document.createElement("span");
  button.type = "button";
  word.ariaHidden = "true";
  name.className = "visually-hidden";
  button.append(word, name);
  const setShown = (shown) => {
    field.type = shown ? "text" : "password";
    word.textContent = shown ? hide : show;
    name.textContent = shown ? hideLabel : showLabel;
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
