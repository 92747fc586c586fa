"""The real parts that tests run against: services and a backend process."""
