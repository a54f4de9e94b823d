import { initAll } from "govuk-frontend";
import "./app.scss";
import { keepTokenFresh } from "./token.js";
import { showWhatIsAsked } from "./questions.js";
import { submitOnce } from "./submit_once.js";
import { uploadAtOnce } from "./uploads.js";

initAll();
showWhatIsAsked();
submitOnce();
keepTokenFresh();
uploadAtOnce();
