# Starts the broker by the image's own start, also on a volume that it has formatted before.
# The start of Apache's image lets "already formatted" pass; one built from the same jars may take it for a failure, and
# would never come back after the first stop.
set -eu
if [ ! -e "$KAFKA_LOG_DIRS/meta.properties" ] || grep -qrs "already formatted" /etc/kafka/docker; then
  exec /etc/kafka/docker/run
fi
export CLASSPATH='/opt/kafka/libs/*'
said=$(java kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
  --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) ||
  case $said in *"already formatted"*) ;; *) echo "$said" >&2 && exit 1 ;; esac
# shellcheck disable=SC2086  several words
exec java $KAFKA_HEAP_OPTS kafka.Kafka /opt/kafka/config/server.properties
