/* Plays systemd: prints each datagram that comes to the socket argv[1], one line "[...]" each. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char text[4096];
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (argc != 2 || fd < 0 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 1;
	memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return 1;
	(void)chmod(argv[1], 0666);
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) >= 0) {
		text[n] = '\0';
		for (char *at = text; *at != '\0'; at++) {
			if (*at == '\n')
				*at = ' ';
		}
		printf("[%s]\n", text);
		fflush(stdout);
	}
	return 0;
}
