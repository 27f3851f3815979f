// The description of the API as a page one can try things on.
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

const place = document.getElementById("api");

SwaggerUI({
  domNode: place,
  url: place.dataset.url,
  deepLinking: true,
  validatorUrl: null, // nothing is sent to strangers
  tryItOutEnabled: false,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  requestInterceptor: (request) => {
    // Who is signed in as a browser proves it as a browser does.
    request.headers["X-CSRFToken"] = place.dataset.csrf;
    return request;
  },
});
