// As much of React as the hook uses, for one component at a time.

let component;

function cell(make) {
  const number = component.next++;
  if (!(number in component.cells)) component.cells[number] = make();
  return component.cells[number];
}

const differ = (before, after) => !before || after.some((value, i) => !Object.is(value, before[i]));

export function useState(initial) {
  const state = cell(() => ({ value: initial }));
  const { render } = component;
  const set = (next) => {
    state.value = typeof next === "function" ? next(state.value) : next;
    render();
  };
  return [state.value, set];
}

export function useRef(initial) {
  return cell(() => ({ current: initial }));
}

export function useCallback(callback, inputs) {
  const kept = cell(() => ({}));
  if (differ(kept.inputs, inputs)) Object.assign(kept, { callback, inputs });
  return kept.callback;
}

export function useEffect(effect, inputs) {
  const kept = cell(() => ({}));
  if (!differ(kept.inputs, inputs)) return;
  kept.cleanUp?.();
  Object.assign(kept, { cleanUp: effect(), inputs });
}

/** A component that uses a hook and shows nothing. */
export function mount(useHook) {
  const self = { cells: [], next: 0, render };
  function render() {
    component = self;
    self.next = 0;
    self.value = useHook();
  }
  render();
  return {
    get value() {
      return self.value;
    },
    unmount: () => self.cells.forEach((kept) => kept.cleanUp?.()),
  };
}
