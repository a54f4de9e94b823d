import { initAll } from "govuk-frontend";
import "./app.scss";

initAll();
