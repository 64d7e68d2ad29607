"""What people and time do: plain functions of a session, one transaction each."""
