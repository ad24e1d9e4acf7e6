// A component of the real React that uses a hook and shows nothing.

import { act, createElement } from "react";
import { create } from "react-test-renderer";

export function mount(useHook) {
  let value, renderer;
  const Component = () => {
    value = useHook();
    return null;
  };
  globalThis.IS_REACT_ACT_ENVIRONMENT = true; // rendered when `act` returns
  act(() => {
    renderer = create(createElement(Component));
  });
  globalThis.IS_REACT_ACT_ENVIRONMENT = false; // from now on as in a browser
  return {
    get value() {
      return value;
    },
    unmount: () => renderer.unmount(),
  };
}
