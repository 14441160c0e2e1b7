/* What there is to be asked, a row a path, and who answers. Window thread. */
#pragma once

#include "window/visit.h"

/* Answers the request. */
enum MHD_Result pages_answer(struct visit *visit);
