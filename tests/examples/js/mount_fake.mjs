export { mount } from "react";
