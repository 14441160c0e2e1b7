/* The gatekeeper checks method, headers, Host and token of every request before a page answers it. Window thread. */
#pragma once

#include "window/visit.h"

/* libmicrohttpd's handler; `data`: the desk. */
enum MHD_Result gatekeeper_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
				   const char *version, const char *upload, size_t *upload_size, void **context);

/* libmicrohttpd's notice that a request has ended (MHD_OPTION_NOTIFY_COMPLETED); `data`: the visitors. */
void gatekeeper_completed(void *data, struct MHD_Connection *connection, void **context,
			  enum MHD_RequestTerminationCode code);
