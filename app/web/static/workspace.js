/* Behind the sign-in: what every page of the workspace may use. Nothing here is needed to use a page. */
"use strict";
