"""The organisations of a district (centre, offices, stations, merchants, council, court) and routing."""
