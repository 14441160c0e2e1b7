#include "pg/lacking.h"

bool lacking_is_news(enum lacking *told, bool kept)
{
	enum lacking lacking = kept ? LACKING_FRESH : LACKING_ALL;

	if (lacking <= *told)
		return false;
	*told = lacking;
	return true;
}
