// The address of the page: a step in the history for each change, and one for a burst of typing.

// Browsers are slow to change it, and some refuse to after a hundred times in half a minute.
const SETTLED = 150;

/** Return what keeps the address: `step` at once, `type` when typing pauses or at `write`, unless told to `forget`. */
export const createAddress = () => {
  let [timer, due] = [0, null];
  const forget = () => {
    clearTimeout(timer);
    due = null;
  };
  const write = () => {
    if (due) history[due.isNew ? "pushState" : "replaceState"](null, "", due.address);
    forget();
  };
  return {
    forget,
    write,
    step(address) {
      write();
      history.pushState(null, "", address);
    },
    /** `isNew` tells that a burst of typing begins. */
    type(address, isNew) {
      if (isNew) write();
      due = { address, isNew: isNew || (due?.isNew ?? false) };
      clearTimeout(timer);
      timer = setTimeout(write, SETTLED);
    },
  };
};
